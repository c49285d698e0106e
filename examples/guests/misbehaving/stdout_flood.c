/* Writes more than any answer may hold. */
#include <string.h>
#include <unistd.h>

int main(void) {
    char line[4096];
    memset(line, 'x', sizeof line);
    while (write(STDOUT_FILENO, line, sizeof line) > 0) {
    }
    return 1;
}
