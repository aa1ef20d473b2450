#include "attune/data/settings.h"

#include <array>

#include "catch.h"
#include "temporary_folder.h"

using attune::read_settings;

TEST_CASE("settings are read with their lines and sections") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "a.toml", "# first\nsteps = 2e3 # many\nname = \"a \\\"#\\\" b\"\n\n[ one ]\nraw = '\\n'\n");
  constexpr std::array<std::string_view, 2> kSections = {"one", "two"};
  const auto settings = read_settings(path, kSections, "test");
  REQUIRE(settings.size() == 3);
  CHECK(settings[0].where == path + ":2");
  CHECK(settings[0].section == "");
  CHECK(settings[0].key == "steps");
  CHECK(settings[0].value == "2e3");
  CHECK(settings[1].value == "a \"#\" b");
  CHECK(settings[2].section == "one");
  CHECK(settings[2].value == "\\n");

  folder.write("a.toml", "[three]\n");
  CHECK_THROWS_WITH(read_settings(path, kSections, "test"),
                    contains("is none of the sections [one], [two]"));
  CHECK_THROWS_WITH(read_settings(folder.path("none"), kSections, "test"), contains("test: "));
}
