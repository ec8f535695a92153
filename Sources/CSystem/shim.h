// Linux calls that Swift's Glibc module leaves out (it is built without _GNU_SOURCE).
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// prctl takes any number of arguments, which Swift cannot call.
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

// The thread sanitizer's own; only there in builds for it. See Locks.
extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);
