/* Sleeps for ten years: uses no instructions, only time. */
#include <unistd.h>

int main(void) {
    for (int day = 0; day < 3650; day++) sleep(86400);
    return 0;
}
