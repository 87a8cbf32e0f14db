/* witness.c - see witness.h.
 *
 * The handler runs on a stack of its own and uses backtrace and dladdr, which is more than a handler may: the process is
 * lost anyway, whatever it still says is a gain, and the foreman does not wait for ever.
 */
#include "checker/witness.h"

#include "check/scene.h"
#include "check/walls.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES     64
#define STACK_SIZE ((size_t)1 << 16)

static _Alignas(64) unsigned char handler_stack[STACK_SIZE];

void weir__witness_prepare(void)
{
    void *frames[4];
    backtrace(frames, 4);
}

/* ---- the stack ---- */

static const void *place_of(const void *context)
{
    const ucontext_t *const c = context;
#if defined(__x86_64__)
    return c ? (const void *)(uintptr_t)c->uc_mcontext.gregs[REG_RIP] : NULL;
#elif defined(__aarch64__)
    return c ? (const void *)(uintptr_t)c->uc_mcontext.pc : NULL;
#else
    (void)c;
    return NULL;
#endif
}

static void note_frame(const void *address)
{
    weir__scene *const scene = weir__scene_now;
    Dl_info info = {0};
    if (scene->depth == WEIR__STACK_MOST) return;
    if (!dladdr(address, &info) || !info.dli_fname) return;
    const char *const slash = strrchr(info.dli_fname, '/');
    const int32_t i = scene->depth;
    scene->stack[i].offset = (uint64_t)((uintptr_t)address - (uintptr_t)info.dli_fbase);
    snprintf(scene->stack[i].file, sizeof scene->stack[i].file, "%.120s", slash ? slash + 1 : info.dli_fname);
    snprintf(scene->stack[i].name, sizeof scene->stack[i].name, "%.90s",
             info.dli_sname ? info.dli_sname : "");
    scene->depth++;
}

/* The frames from where it happened; those of the handler lie above. */
static void note_stack(const void *context)
{
    void *frames[FRAMES];
    const void *const place = place_of(context);
    const int count = backtrace(frames, FRAMES);
    int first = 0;
    while (place && first < count && frames[first] != place) first++;
    if (first == count) first = 0;
    weir__scene_now->depth = 0;
    for (int i = first; i < count; i++) note_frame(frames[i]);
}

/* ---- signals ---- */

static void at_signal(int number, siginfo_t *info, void *context)
{
    weir__scene *const scene = weir__scene_now;
    if (scene && !scene->signal) {
        scene->signal = number;
        if (number == SIGSEGV || number == SIGBUS)
            weir__walls_accuse(info->si_addr, scene->fault, sizeof scene->fault);
        note_stack(context);
    }
    signal(number, SIG_DFL);
    if (number == SIGQUIT) _exit(1);
    raise(number);
}

static void at_exit(void)
{
    if (!weir__scene_now || weir__scene_now->finished) return;
    weir__scene_now->exiting = 1;
    note_stack(NULL);
}

void weir__witness_begin(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGQUIT};
    const stack_t stack = {.ss_sp = handler_stack, .ss_size = STACK_SIZE};
    struct sigaction action = {.sa_sigaction = at_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
    atexit(at_exit);
}
