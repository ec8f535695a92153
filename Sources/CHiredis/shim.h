// hiredis serves as parser and formatter only: its sockets and its async API stay unused.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
