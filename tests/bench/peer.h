/* peer.h - a competitor in a process of its own, asked in lines of text.
 *
 * It reads one request a line and answers each with one line, "ok ..." or "error MESSAGE":
 *   hello                                     ok NAME VERSION
 *   load WORK MODEL                           ok
 *   variants WORK OP                          ok NAME NAME ...   (none: it cannot do this)
 *   check WORK VARIANT DATA.npy OUT.npy       ok                 (log_prob of each row, float64)
 *   invert WORK VARIANT                       ok DISTANCE        (latent rows, there and back)
 *   rate WORK OP VARIANT BATCH SECONDS        ok SAMPLES_A_SECOND
 */
#ifndef WEIR_BENCH_PEER_H
#define WEIR_BENCH_PEER_H

#include <stddef.h>

typedef struct peer peer;

typedef struct peer_setup {
    const char *program; /* an interpreter, found on PATH when it has no slash */
    const char *script;
    int threads;
    const char *libraries; /* folder in which shared libraries are sought first; NULL: none */
} peer_setup;

/** NULL with a message when it cannot be started or does not say hello; `name` gets what it calls itself. */
peer *peer_start(const peer_setup *setup, char *name, size_t name_size, char *message, size_t message_size);

/** Sends one request and waits for its answer. Returns 1 with what follows "ok" in `answer`, or 0 with the message there. */
int peer_ask(peer *p, char *answer, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** NULL is fine. */
void peer_stop(peer *p);

#endif
