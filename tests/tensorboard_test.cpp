#include "attune/train/tensorboard.h"

#include <cmath>
#include <limits>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/error.h"
#include "catch.h"
#include "events.h"
#include "temporary_folder.h"

using namespace attune;

TEST_CASE("CRC-32C has its known values") {
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);  // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
}

TEST_CASE("events are records with a version, steps, times, numbers and pictures") {
  const TemporaryFolder folder;
  EventLog log(folder.path("tfevents"), 0);
  log.scalars(1, {{"loss", 0.5f}, {"accuracy", 0.25}, {"skipped_steps", std::int64_t{3}}});
  const std::int64_t large = (std::int64_t{1} << 40) + 300;
  log.scalars(large, {{"loss", std::numeric_limits<double>::quiet_NaN()}, {"text", "no number"}});
  const std::string png =
      "\x89PNG\r\n\x1a\n" + std::string("\0\0\0\rIHDR\0\0\1\2\0\0\0\7", 16) + std::string(200, 'x');
  log.image(7, "alignment", png);
  log.sync();

  const std::string file = folder.read("tfevents");
  CHECK(log.bytes() == std::ssize(file));
  const std::vector<events::Event> found = events::read(file);
  REQUIRE(found.size() == 4);
  CHECK(found[0].version == "brain.Event:2");
  CHECK(found[0].wall_time > 1.7e9);
  CHECK(found[1].step == 1);
  CHECK(found[1].scalars ==
        std::map<std::string, float>{{"loss", 0.5f}, {"accuracy", 0.25f}, {"skipped_steps", 3.0f}});
  CHECK(found[2].step == large);
  REQUIRE(found[2].scalars.size() == 1);
  CHECK(std::isnan(found[2].scalars.at("loss")));
  CHECK(found[3].images.at("alignment") == png);
  CHECK((found[3].width == 0x102 && found[3].height == 7));
  CHECK_THROWS_WITH(log.image(8, "alignment", "<svg>"), contains("not a PNG file"));

  if (!has_cairo()) return;
  log.image(9, "alignment", to_png({"", {{Alignment{{"a"}, {"x"}, {1}}}}}));
  CHECK(events::read(folder.read("tfevents")).back().width > 100);
}

TEST_CASE("an event log is continued where a checkpoint left it") {
  const TemporaryFolder folder;
  std::int64_t bytes = 0;
  {
    EventLog log(folder.path("tfevents"), 0);
    log.scalars(1, {{"loss", 3.0}});
    bytes = log.bytes();
    log.scalars(2, {{"loss", 9.0}});
  }
  folder.write("tfevents", folder.read("tfevents") + "half an event");
  EventLog log(folder.path("tfevents"), bytes);
  log.scalars(2, {{"loss", 2.0}});
  const std::vector<events::Event> found = events::read(folder.read("tfevents"));
  REQUIRE(found.size() == 3);
  CHECK(found[2].scalars.at("loss") == 2);
}

TEST_CASE("an event log that cannot be written is an error with file and reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(EventLog(folder.path("no/such"), 0),
                    contains(folder.path("no/such")) && contains("No such file"));
  CHECK_THROWS_WITH(EventLog("/dev/full", 0), contains("/dev/full") && contains("No space left"));
}
