/* Answers with a random number, evenly spread: {"random":N}. The input is the number of possible values, 2 to 2^63; 2^32 without one. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int read_count(uint64_t *count) {
    char text[32] = {0};
    ssize_t length = read(STDIN_FILENO, text, sizeof text - 1);
    if (length <= 0) return 0;
    char *end;
    errno = 0;
    *count = strtoull(text, &end, 10);
    while (*end == ' ' || *end == '\n') end++;
    return errno || *end || text[0] == '-' || *count < 2 || *count > UINT64_C(1) << 63;
}

int main(void) {
    uint64_t count = UINT64_C(1) << 32, drawn;
    if (read_count(&count)) {
        fputs("the input must be the number of possible values, from 2 to 9223372036854775808\n", stderr);
        return 1;
    }
    /* Draws above the last whole multiple of `count` would make small numbers likelier: drawn again. */
    uint64_t unfair = (UINT64_MAX % count + 1) % count;
    do {
        if (getentropy(&drawn, sizeof drawn)) {
            fputs("no random bytes\n", stderr);
            return 1;
        }
    } while (drawn > UINT64_MAX - unfair);
    printf("{\"random\":%" PRIu64 "}", drawn % count);
    return 0;
}
