/* Answers with its input, byte for byte. */
#include <unistd.h>

int main(void) {
    char buffer[4096];
    ssize_t length;
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0; done < length;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(length - done));
            if (written < 0) return 1;
            done += written;
        }
    }
    return length < 0;
}
