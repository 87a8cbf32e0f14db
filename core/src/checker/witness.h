/* witness.h - noting in the scene how a process comes to an untimely end: which signal, which memory, which stack. */
#ifndef WEIR__WITNESS_H
#define WEIR__WITNESS_H

/** Once, in the process that starts the others: what taking a stack needs is loaded now. */
void weir__witness_prepare(void);
/** In a process that is about to run a stranger's code. SIGQUIT asks it where it is, and ends it. */
void weir__witness_begin(void);

#endif
