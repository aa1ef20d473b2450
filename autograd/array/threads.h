#pragma once

namespace attune {

/// The number of threads that an operation may use, by default all cores. Results do not depend on
/// it. Fewer are used if the system refuses to start as many. A child process made by fork() has
/// workers of its own.
int threads();
/// Sets threads(). Errors: count < 1.
void set_threads(int count);

}  // namespace attune
