/* Takes memory until there is none, then aborts as most language runtimes do. */
#include <stdlib.h>

int main(void) {
    for (;;) {
        volatile char *block = malloc(1 << 20);
        if (!block) abort();
        for (unsigned i = 0; i < 1 << 20; i += 4096) block[i] = 1;
    }
}
