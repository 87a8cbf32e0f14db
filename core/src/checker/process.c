/* process.c - forking for a job, and waiting until it is done, or hangs.
 *
 * A job hangs when it has used the time that it may take, or has waited for so
 * long, doing next to nothing: one that would work, but does not get the
 * processor, is left alone.
 */
#include "checker/job.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0) return 0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 'R' in its state: it wants the processor; 'D': it waits for the disk; 'Z': it
 * has ended. */
static int is_idle(const char *path)
{
    char line[512], state = 'S';
    FILE *const file = fopen(path, "r");
    const char *const after =
        file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL; /* its name may hold anything */
    if (after && after[1] == ' ') state = after[2];
    if (file) fclose(file);
    return state != 'R' && state != 'D' && state != 'Z';
}

/* Some thread wants the processor, whether it gets it or not. */
static int is_busy(pid_t pid)
{
    char path[320];
    const struct dirent *thread;
    int idle = 1;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *const threads = opendir(path);
    while (threads && idle && (thread = readdir(threads))) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, thread->d_name);
        idle = thread->d_name[0] == '.' || is_idle(path);
    }
    if (threads) closedir(threads);
    return !idle;
}

typedef struct vigil {
    pid_t pid;
    double patience, started;
    double seen, worked, waited; /* when it was last looked at; seconds of work
                                  and of waiting by then */
} vigil;

static int has_hung(vigil *v)
{
    clockid_t clock;
    const double now = seconds_of(CLOCK_MONOTONIC), passed = now - v->seen;
    const double worked = clock_getcpuclockid(v->pid, &clock) == 0 ? seconds_of(clock) : 0;
    if (!is_busy(v->pid) && worked - v->worked < 0.1 * passed) v->waited += passed;
    v->seen = now;
    v->worked = worked;
    return worked >= v->patience || v->waited >= v->patience || now - v->started > 20 * v->patience;
}

static pid_t reap(pid_t pid, int *status, int block)
{
    pid_t got;
    while ((got = waitpid(pid, status, block ? 0 : WNOHANG)) < 0 && errno == EINTR) {
    }
    return got;
}

/* It is asked for its stack first, and gets a moment for that. */
static int end_hanging(pid_t pid)
{
    static const struct timespec moment = {.tv_sec = 0, .tv_nsec = 10000000};
    int status = 0;
    kill(pid, SIGQUIT);
    for (int i = 0; i < 50; i++) {
        if (reap(pid, &status, 0) == pid) return status;
        nanosleep(&moment, NULL);
    }
    kill(pid, SIGKILL);
    reap(pid, &status, 1);
    return status;
}

/* SIGCHLD is blocked, and waking up costs nothing while the test runs. One that
 * has just ended is not asked whether it hangs. */
static int wait_for(pid_t pid, double patience, int *hung)
{
    const struct timespec glance = {.tv_sec = 0, .tv_nsec = 50000000};
    const double now = seconds_of(CLOCK_MONOTONIC);
    vigil v = {.pid = pid, .patience = patience, .started = now, .seen = now};
    sigset_t child;
    int status = 0;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (reap(pid, &status, 0) == 0) {
        if (has_hung(&v)) {
            *hung = 1;
            return end_hanging(pid);
        }
        sigtimedwait(&child, NULL, &glance);
    }
    return status;
}

int weir__job_do(const weir__job *job, weir__ending *ending)
{
    weir__board *const board = job->board;
    memset(board, 0, sizeof *board);
    memset(ending, 0, sizeof *ending);
    if (ftruncate(job->output, 0) == 0) lseek(job->output, 0, SEEK_SET);
    const pid_t pid = fork();
    if (pid == 0) weir__job_perform(job);
    if (pid < 0) {
        ending->not_begun = errno;
        return 0;
    }
    ending->status = wait_for(pid, job->patience, &ending->hung);
    board->scene.words[WEIR__SCENE_WORDS - 1] = '\0';
    board->error.message[sizeof board->error.message - 1] = '\0';
    return !ending->hung && WIFEXITED(ending->status) && WEXITSTATUS(ending->status) == 0 &&
           board->scene.finished;
}
