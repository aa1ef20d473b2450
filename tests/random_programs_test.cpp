#include "attune/autograd/scopes.h"
#include "catch.h"
#include "random_programs/builder.h"
#include "random_programs/checks.h"

using namespace attune;
using namespace attune::random_programs;

TEST_CASE("random programs match finite differences, and hidden elements have no influence") {
  int gradients = 0, garbage_runs = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Program program = make_program(seed);
    const Outcome outcome = check(program);
    if (!outcome.ok()) FAIL(report(program, outcome));
    gradients += outcome.gradients;
    garbage_runs += outcome.garbage_runs;
  }
  CHECK(gradients > 1000);
  CHECK(garbage_runs > 200);
}

TEST_CASE("random programs detect a gradient that is off by 0.1%, and are shrunk to it") {
  const FaultScope fault(Fault::wrong_gradient);
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const Program program = make_program(seed);
    const Outcome outcome = check(program);
    if (outcome.failed != "gradient") continue;
    ++found;
    const Program smaller = shrink(program, outcome.failed);
    CHECK(smaller.steps.size() == 1);
    CHECK(smaller.steps[0].name == "wrong_gradient");
    CHECK_THAT(report(program, outcome), contains("wrong_gradient"));
  }
  CHECK(found >= 25);
}

TEST_CASE("random programs detect garbage that a product with 0 propagates") {
  const FaultScope fault(Fault::leak);
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const Program program = make_program(seed);
    const Outcome outcome = check(program);
    if (outcome.failed != "garbage") continue;
    ++found;
    const Program smaller = shrink(program, outcome.failed);
    CHECK(smaller.steps.size() == 1);
    CHECK(smaller.steps[0].name == "leak");
  }
  CHECK(found == 30);
}

TEST_CASE("a random program is the same for the same seed") {
  for (const std::uint64_t seed : {1, 2, 3, 4})
    CHECK(to_text(make_program(seed)) == to_text(make_program(seed)));
}
