#pragma once

namespace attune {

/// How many threads an operation may use; all cores at first. Results do not depend on it. Fewer
/// run where the system refuses to start as many. A child process made by fork() has
/// workers of its own.
int threads();
/// Errors: less than 1.
void set_threads(int count);

}  // namespace attune
