/* Number of primes below n (at most 2^22), by Eratosthenes' sieve with one byte a number: an inner loop of one store, metering's worst. */
#include <stdint.h>

#define MOST (1u << 22)
static uint8_t composite[MOST];

uint32_t kernel(uint32_t n) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) composite[i] = 0;
    for (uint32_t i = 2; i < n; i++) {
        if (composite[i]) continue;
        count++;
        for (uint64_t multiple = (uint64_t)i * i; multiple < n; multiple += i) composite[multiple] = 1;
    }
    return count;
}
