/* crash.c - naming the plugin that ends the process.
 *
 * A plugin's code runs in this process, and when it crashes or calls exit nothing can be saved. What can be done is to say
 * who it was. The place of the fault names it, and, after abort, the first return address on the stack that lies in a
 * plugin. Only the weir command does this: in a program that embeds the library, signals are the program's.
 */
#include "crash.h"

#include <weir.h>

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES     64
#define STACK_SIZE ((size_t)1 << 16)

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static int exit_is_wanted;

static void say(const char *text)
{
    size_t left = strlen(text);
    for (ssize_t n; left > 0 && (n = write(STDERR_FILENO, text, left)) > 0; text += n) left -= (size_t)n;
}

static const char *name_of(int number)
{
    switch (number) {
    case SIGSEGV:
        return "segmentation fault";
    case SIGBUS:
        return "bus error";
    case SIGFPE:
        return "arithmetic exception";
    case SIGILL:
        return "illegal instruction";
    default:
        return "abort";
    }
}

static const void *place_of(const void *context)
{
    const ucontext_t *const c = context;
#if defined(__x86_64__)
    return (const void *)(uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)(uintptr_t)c->uc_mcontext.pc;
#else
    (void)c;
    return NULL;
#endif
}

static const char *plugin_on_stack(void)
{
    void *frames[FRAMES];
    const int count = backtrace(frames, FRAMES);
    for (int i = 0; i < count; i++) {
        const char *const plugin = weir_plugin_at(frames[i]);
        if (plugin) return plugin;
    }
    return NULL;
}

/* The default action is back in force (SA_RESETHAND): should the walk over a damaged stack fault too, that is the end. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    (void)info;
    const char *plugin = weir_plugin_at(place_of(context));
    if (!plugin) plugin = plugin_on_stack();
    if (plugin) {
        say("weir: ");
        say(plugin);
        say(": this plugin ended the process: ");
        say(name_of(number));
        say("; weir check shows which promise it breaks\n");
    }
    raise(number);
}

/* A plugin that calls exit(0) in the middle of a run must not pass for a run that went well. */
static void on_leaving(int status, void *unused)
{
    (void)unused;
    const char *const plugin = exit_is_wanted ? NULL : plugin_on_stack();
    if (!plugin) return;
    fflush(NULL);
    say("weir: ");
    say(plugin);
    say(": this plugin called exit and ended the process; weir check shows which promise it breaks\n");
    _exit(status ? status : 1);
}

/* backtrace is called once while nothing is wrong: its first call loads a library. */
void weir__crash_watch(void)
{
    static char own_stack[STACK_SIZE]; /* of this thread: for a stack that overflowed */
    const stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    void *frame[1];
    struct sigaction action = {.sa_sigaction = on_fatal}, before;
    action.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK | SA_NODEFER);
    backtrace(frame, 1);
    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (sigaction(fatal[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(fatal[i], &action, NULL);
    on_exit(on_leaving, NULL);
}

void weir__crash_ignore_exit(void)
{
    exit_is_wanted = 1;
}
