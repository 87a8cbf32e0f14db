/* turn.h - calls of serial modules: one at a time in the whole process.
 *
 * One lock for all of them, so that no two models can wait for each other; the thread that has it may take it again, for
 * a serial module that is the child of another. */
#ifndef WEIR__TURN_H
#define WEIR__TURN_H

void weir__turn_take(void);
void weir__turn_give(void);

#endif
