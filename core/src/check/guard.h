/* guard.h - a module that calls exit while it is checked does not get away with it. */
#ifndef WEIR__CHECK_GUARD_H
#define WEIR__CHECK_GUARD_H

/** From here on, until weir__guard_leave, exit called on this thread ends the process with status 1 and one line that
 *  names the module and the check. Both texts are kept, not copied. */
void weir__guard_enter(const char *module);
/** What is checked now. */
void weir__guard_note(const char *check);
void weir__guard_leave(void);

#endif
