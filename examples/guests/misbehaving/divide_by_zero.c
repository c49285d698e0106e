/* Divides by a number that turns out to be 0. */
#include <stdio.h>

__attribute__((noinline)) static int average(int sum, volatile int *count) { return sum / *count; }

int main(void) {
    volatile int count = 0;
    printf("%d\n", average(42, &count));
    return 0;
}
