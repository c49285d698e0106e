/* Number of primes below n, by trial division. */
#include <stdint.h>

static int is_prime(uint32_t number) {
    for (uint32_t divisor = 2; divisor <= number / divisor; divisor++)
        if (number % divisor == 0) return 0;
    return number >= 2;
}

uint32_t kernel(uint32_t n) {
    uint32_t count = 0;
    for (uint32_t number = 0; number < n; number++) count += (uint32_t)is_prime(number);
    return count;
}
