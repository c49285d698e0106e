/* Length of the longest Collatz sequence that starts below n. */
#include <stdint.h>

uint32_t kernel(uint32_t n) {
    uint32_t longest = 0;
    for (uint32_t start = 1; start < n; start++) {
        uint32_t length = 1;
        for (uint64_t value = start; value != 1; length++) value = value & 1 ? 3 * value + 1 : value / 2;
        if (length > longest) longest = length;
    }
    return longest;
}
