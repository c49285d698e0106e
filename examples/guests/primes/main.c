/* Answers with the number of primes up to its input and the largest of them: {"count":N,"largest":P}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIGHEST 50000000UL /* one byte a number: 50 MB of the guest's memory */

int main(void) {
    char text[32] = {0}, *end;
    if (read(STDIN_FILENO, text, sizeof text - 1) <= 0) text[0] = '?';
    unsigned long limit = strtoul(text, &end, 10);
    while (*end == ' ' || *end == '\n') end++;
    if (*end || text[0] == '-' || limit < 2 || limit > HIGHEST) {
        fprintf(stderr, "the input must be a whole number from 2 to %lu\n", HIGHEST);
        return 1;
    }
    unsigned char *composite = calloc(limit + 1, 1);
    if (!composite) {
        fprintf(stderr, "%lu bytes of memory are not to be had: ask for more (max_memory_mb) or a smaller number\n", limit + 1);
        return 1;
    }
    unsigned long count = 0, largest = 0;
    for (unsigned long n = 2; n <= limit; n++) {
        if (composite[n]) continue;
        count++;
        largest = n;
        if (n <= limit / n)
            for (unsigned long multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
    }
    printf("{\"count\":%lu,\"largest\":%lu}", count, largest);
    return 0;
}
