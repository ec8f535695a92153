// The one entry of libFuzzer that we call (compiler-rt, FuzzerInterface.h). The toolchain installs no header for it.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
