/* Writes 2 MB to stderr, numbered lines, and then answers well. */
#include <stdio.h>

int main(void) {
    static char buffer[65536];
    setvbuf(stderr, buffer, _IOFBF, sizeof buffer);
    for (int i = 0; i < 1 << 17; i++) fprintf(stderr, "line %09d\n", i);
    fflush(stderr);
    printf("done");
    return 0;
}
