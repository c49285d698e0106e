/* Number of primes below n (at most 2^26), by Eratosthenes' sieve of odd numbers, one bit each. */
#include <stdint.h>

#define MOST (1u << 26)
static uint32_t composite[MOST / 64];

uint32_t kernel(uint32_t n) {
    uint32_t odds = n / 2, count = n > 2; /* bit i stands for 2i + 1 */
    for (uint32_t word = 0; word <= odds / 32; word++) composite[word] = 0;
    for (uint32_t i = 1; i < odds; i++) {
        if (composite[i / 32] >> i % 32 & 1) continue;
        count++;
        uint32_t step = 2 * i + 1;
        for (uint64_t multiple = ((uint64_t)step * step) / 2; multiple < odds; multiple += step)
            composite[multiple / 32] |= UINT32_C(1) << multiple % 32;
    }
    return count;
}
