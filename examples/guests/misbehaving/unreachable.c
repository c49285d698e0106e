/* Aborts two calls deep: the report names the functions. */
#include <stdlib.h>

__attribute__((noinline)) static void settle_auction(volatile int *bids) {
    if (*bids == 0) abort();
}

int main(void) {
    volatile int bids = 0;
    settle_auction(&bids);
    return 0;
}
