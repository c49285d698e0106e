/* Answers with bytes that are no text. */
#include <unistd.h>

int main(void) {
    static const char bytes[] = {'o', 'k', ' ', (char)0xFF, (char)0xFE};
    return write(STDOUT_FILENO, bytes, sizeof bytes) != sizeof bytes;
}
