#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

void movie_thread_set_name(const char *name) {
    char kept[16];
    strncpy(kept, name, sizeof kept - 1);
    kept[sizeof kept - 1] = 0;
    pthread_setname_np(pthread_self(), kept);
}

/* What the process might use when its first thread asked; pinned threads ask too, whose own set is smaller. */
static cpu_set_t usable;
static pthread_once_t looked = PTHREAD_ONCE_INIT;

static void look(void) {
    if (sched_getaffinity(0, sizeof usable, &usable) != 0) CPU_ZERO(&usable);
}

int movie_usable_cpus(void) {
    pthread_once(&looked, look);
    int count = CPU_COUNT(&usable);
    return count > 0 ? count : 1;
}

void movie_thread_unpin(void) {
    pthread_once(&looked, look);
    sched_setaffinity(0, sizeof usable, &usable);
}

void movie_thread_pin(int index, int width) {
    cpu_set_t one;
    pthread_once(&looked, look);
    if (width > CPU_COUNT(&usable)) return;
    int seen = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &usable) || seen++ != index) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

int movie_thread_set_punctual(void) {
    struct sched_param parameters = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    return pthread_setschedparam(pthread_self(), SCHED_RR, &parameters);
}
