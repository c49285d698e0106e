/* Calls itself for as long as there is stack. */
__attribute__((noinline)) static int deeper(volatile int *depth) {
    *depth += 1;
    if (*depth == 0) return 0;
    int below = deeper(depth);
    return below + *depth;
}

int main(void) {
    volatile int depth = 0;
    return deeper(&depth);
}
