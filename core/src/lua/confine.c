/* confine.c - going on in a child process with limits, watched by the parent.
 *
 * A compiled loop of LuaJIT's asks nobody whether it may go on, and neither does a long call into C. So the time is kept
 * from outside: the parent does nothing but wait, and kills. fork without exec is safe here because the caller opened no
 * runtime yet, so this process has one thread.
 */
#include "reach.h"

#include "handle.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct limits {
    rlim_t memory; /* bytes, beyond what is in use at the start */
    double seconds;
} limits;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the child ---------------------------------------------------------------------------------------------------------- */

/* Bytes of writable memory that count for RLIMIT_DATA: the sixth number. Sanitizers hold a great deal of it. */
static rlim_t memory_in_use(void)
{
    char line[256], *at = line;
    unsigned long long pages = 0;
    FILE *const file = fopen("/proc/self/statm", "re");
    const int got = file && fgets(line, sizeof line, file) != NULL;
    if (file) fclose(file);
    for (int i = 0; got && i < 6; i++) pages = strtoull(at, &at, 10);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int limit(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit r;
    if (getrlimit(what, &r)) return 0;
    if (r.rlim_max > most) r.rlim_max = most;
    if (r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
    return setrlimit(what, &r) == 0;
}

/* The processor's time is a second net under the parent's watch. */
static int set_limits(const limits *given, pid_t parent)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const double most = given->seconds * (double)(processors > 0 ? processors : 1) + 1;
    return limit(RLIMIT_DATA, memory_in_use() + given->memory) && limit(RLIMIT_FSIZE, given->memory) &&
           limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, (rlim_t)most + 1) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == parent;
}

/* ---- the parent --------------------------------------------------------------------------------------------------------- */

/* A key reaches the child by itself, being of the same terminal; what is sent to this process alone is handed on. */
static void hand_on(pid_t child, const siginfo_t *info)
{
    if (info->si_code != SI_KERNEL) kill(child, info->si_signo);
}

/* Until the child ends or its time is over. Returns 1 when it had to be killed. */
static int wait_for(pid_t child, const sigset_t *watched, double deadline, int *status)
{
    for (;;) {
        const double left = deadline - now();
        const double wait = left > 0 ? left : 0;
        const struct timespec timeout = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
        siginfo_t info;
        if (waitpid(child, status, WNOHANG) == child) return 0;
        if (left <= 0) break;
        const int number = sigtimedwait(watched, &info, &timeout);
        if (number > 0 && number != SIGCHLD) hand_on(child, &info);
    }
    kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR) {
    }
    return 1;
}

/* An exit status, or nil and how it ended: "time", or a signal's number. */
static int tell(lua_State *L, int killed, int status)
{
    if (!killed && WIFEXITED(status)) return lua_pushinteger(L, WEXITSTATUS(status)), 1;
    lua_pushnil(L);
    if (killed)
        lua_pushliteral(L, "time");
    else
        lua_pushinteger(L, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return 2;
}

static void watched_signals(sigset_t *set)
{
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(set, numbers[i]);
}

/** confine(memory, seconds): returns true in a child process with these limits. In this one it returns when that child has
 *  ended: its exit status, or nil and "time" or the number of the signal that ended it. Call it before anything opens a
 *  runtime. */
static int confine(lua_State *L)
{
    const limits given = {(rlim_t)luaL_checknumber(L, 1), luaL_checknumber(L, 2)};
    const pid_t parent = getpid();
    sigset_t watched, before;
    int status = 0;
    watched_signals(&watched);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &watched, &before);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (!set_limits(&given, parent))
            return luaL_error(L, "cannot set the sandbox's limits: %s", strerror(errno));
        return lua_pushboolean(L, 1), 1;
    }
    const int killed = child > 0 && wait_for(child, &watched, now() + given.seconds, &status);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) return luaL_error(L, "cannot start the sandbox: %s", strerror(errno));
    return tell(L, killed, status);
}

static const luaL_Reg functions[] = {{"confine", confine}, {NULL, NULL}};

void weir__confine_register(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
