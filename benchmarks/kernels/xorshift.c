/* Low word of Marsaglia's xorshift64 after n steps. */
#include <stdint.h>

uint32_t kernel(uint32_t n) {
    uint64_t state = 88172645463325252u;
    for (uint32_t step = 0; step < n; step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return (uint32_t)state;
}
