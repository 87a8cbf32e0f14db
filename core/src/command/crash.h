/* crash.h - naming the plugin that ends the process. */
#ifndef WEIR__COMMAND_CRASH_H
#define WEIR__COMMAND_CRASH_H

/** From here on a fatal signal, or exit, that comes out of a plugin's code is said in one line on standard error. */
void weir__crash_watch(void);
/** The command is done: exit is what it wants. */
void weir__crash_ignore_exit(void);

#endif
