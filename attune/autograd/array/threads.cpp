#include "attune/autograd/array/threads.h"

#include <omp.h>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {
int thread_count = omp_get_num_procs();
}

int threads() { return thread_count; }

void set_threads(int count) {
  ATTUNE_CHECK(count >= 1, "set_threads: {} threads; at least 1 is needed", count);
  thread_count = count;
}

}  // namespace attune
