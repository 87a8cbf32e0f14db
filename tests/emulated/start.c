/* start.c - preloaded into programs under qemu's user emulation, so that they can start others of their processor.
 *
 * The emulator hands execve to the kernel, which knows no program of the other processor unless root has told it of one
 * (binfmt_misc). So in front of such a program goes the emulator itself, which WEIR_EMULATOR names; its own variables, and
 * so this file, are inherited. Calls that the C library makes inside itself (execvp, system) do not come by here.
 */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEFORE 3 /* words in front of the program's path */

typedef int (*execve_call)(const char *, char *const[], char *const[]);
typedef int (*spawn_call)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                          const posix_spawnattr_t *, char *const[], char *const[]);

static const char *emulator;
static execve_call next_execve;
static spawn_call next_spawn;

/* The emulator sets LD_PRELOAD anew in each program; programs of the kernel's own processor could not load this file. */
__attribute__((constructor)) static void begin(void)
{
    void *const found[] = {dlsym(RTLD_NEXT, "execve"), dlsym(RTLD_NEXT, "posix_spawn")};
    memcpy(&next_execve, &found[0], sizeof next_execve);
    memcpy(&next_spawn, &found[1], sizeof next_spawn);
    emulator = getenv("WEIR_EMULATOR");
    unsetenv("LD_PRELOAD");
}

static int is_emulated(const char *path)
{
    Elf64_Ehdr head;
    const int file = emulator ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const ssize_t got = file < 0 ? -1 : read(file, &head, sizeof head);
    if (file >= 0) close(file);
    return got == (ssize_t)sizeof head && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
           head.e_machine == EM_AARCH64;
}

static size_t count_of(char *const words[])
{
    size_t count = 0;
    while (words[count]) count++;
    return count;
}

/* Into count_of(words) + BEFORE + 2 pointers: the emulator, the program's name for itself, its path, its arguments. */
static void put_emulator(const char *path, char *const words[], char **all)
{
    const char *const front[BEFORE] = {emulator, "-0", words[0] ? words[0] : path};
    size_t n = 0;
    memcpy(all, front, sizeof front);
    n += BEFORE;
    memcpy(all + n++, &path, sizeof path);
    for (size_t i = 1; words[0] && words[i]; i++) all[n++] = words[i];
    all[n] = NULL;
}

int execve(const char *path, char *const words[], char *const environment[])
{
    if (!is_emulated(path)) return next_execve(path, words, environment);
    char *all[count_of(words) + BEFORE + 2];
    put_emulator(path, words, all);
    return next_execve(emulator, all, environment);
}

int posix_spawn(pid_t *process, const char *path, const posix_spawn_file_actions_t *files,
                const posix_spawnattr_t *attributes, char *const words[], char *const environment[])
{
    if (!is_emulated(path)) return next_spawn(process, path, files, attributes, words, environment);
    char *all[count_of(words) + BEFORE + 2];
    put_emulator(path, words, all);
    return next_spawn(process, emulator, files, attributes, all, environment);
}
