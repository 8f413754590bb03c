/* The floor of every task runner: N commands, at most P at once, and nothing else done about them.
 * floor N P COMMAND [ARGUMENT...] */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[1]) : 0, most = argc > 3 ? atoi(argv[2]) : 0, running = 0;
    for (int i = 0; i < count; i++) {
        pid_t pid;
        if (running == most) {
            wait(NULL);
            running--;
        }
        if (posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ) != 0)
            return 1;
        running++;
    }
    while (running-- > 0)
        wait(NULL);
    return 0;
}
