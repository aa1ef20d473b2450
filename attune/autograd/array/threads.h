#pragma once

namespace attune {

/// How many threads an operation may use; all cores at first. Results do not depend on it.
int threads();
/// Errors: less than 1.
void set_threads(int count);

}  // namespace attune
