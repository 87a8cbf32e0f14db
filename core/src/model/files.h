/* files.h - files that go with plugins, for modules that ask for them while they are made. */
#ifndef WEIR__FILES_H
#define WEIR__FILES_H

#include <weir/files.h>

const weir_files *weir__files(void);
const weir_file_guard *weir__file_guard(void);

#endif
