/* Says why on stderr and ends with exit code 3. */
#include <stdio.h>

int main(void) {
    puts("half an answer");
    fputs("looked everywhere\nthe price feed is empty\n", stderr);
    return 3;
}
