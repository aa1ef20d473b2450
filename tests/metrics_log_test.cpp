#include "attune/train/metrics_log.h"

#include <cstdint>
#include <limits>
#include <string>

#include "attune/autograd/array/error.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

TEST_CASE("metrics are logged as one JSON object a line, fields in order") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path("metrics.jsonl"));
  log.write({{"step", 10}, {"loss", 0.5}, {"best", true}, {"split", "valid"}});
  log.write({{"b", std::int64_t{1} << 40}, {"a", std::string("é\"\n")}});
  log.write({});
  CHECK(folder.read("metrics.jsonl") ==
        "{\"step\":10,\"loss\":0.5,\"best\":true,\"split\":\"valid\"}\n"
        "{\"b\":1099511627776,\"a\":\"é\\\"\\n\"}\n"
        "{}\n");
}

TEST_CASE("each line of metrics is written to the file immediately") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path("m"));
  log.write({{"step", 1}});
  CHECK(folder.read("m") == "{\"step\":1}\n");
  log.write({{"step", 2}});
  CHECK(folder.read("m") == "{\"step\":1}\n{\"step\":2}\n");
}

TEST_CASE("a log of metrics is appended to, not overwritten") {
  const TemporaryFolder folder;
  MetricsLog(folder.path("m")).write({{"step", 1}});
  MetricsLog(folder.path("m")).write({{"step", 2}});
  CHECK(folder.read("m") == "{\"step\":1}\n{\"step\":2}\n");
}

TEST_CASE("a logged number reads back as the same number") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path("m"));
  log.write({{"float", 0.1f}, {"double", 0.1}, {"third", 1.0 / 3}, {"whole", 2.0f}});
  CHECK(folder.read("m") ==
        "{\"float\":0.1,\"double\":0.1,\"third\":0.3333333333333333,\"whole\":2.0}\n");
}

TEST_CASE("numbers that JSON lacks are logged as null") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path("m"));
  log.write({{"loss", std::numeric_limits<float>::quiet_NaN()},
             {"norm", std::numeric_limits<double>::infinity()}});
  CHECK(folder.read("m") == "{\"loss\":null,\"norm\":null}\n");
}

TEST_CASE("a log of metrics on a full disk is an error that says so") {
  MetricsLog log("/dev/full");
  CHECK_THROWS_AS(log.write({{"step", 1}}), Error);
  CHECK_THROWS_WITH(log.write({{"step", 1}}), contains("/dev/full") && contains("No space left"));
}

TEST_CASE("an error in opening a log of metrics names the file") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(MetricsLog(folder.path("no/such/m")),
                    contains(folder.path("no/such/m")) && contains("No such file"));
}
