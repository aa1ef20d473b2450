#include "attune/autograd/array/parse_number.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "catch.h"

using attune::parse_number;

TEST_CASE("parse_number reads whole numbers as decimal and exactly") {
  CHECK(parse_number<int>("0") == 0);
  CHECK(parse_number<int>("7") == 7);
  CHECK(parse_number<int>("010") == 10);
  CHECK(parse_number<int>("+10") == 10);
  CHECK(parse_number<int>("-10") == -10);
  CHECK(parse_number<int>("1e3") == 1000);
  CHECK(parse_number<int>("1E+3") == 1000);
  CHECK(parse_number<int>("1.5e3") == 1500);
  CHECK(parse_number<int>("1500e-2") == 15);
  CHECK(parse_number<int>("5.0") == 5);
  CHECK(parse_number<int>("0.00") == 0);
  CHECK(parse_number<int>("0e999999999999999999999") == 0);
  CHECK(parse_number<int>("000000000000000000000000000012") == 12);
  CHECK(parse_number<int>("2147483647") == 2147483647);
  CHECK(parse_number<int>("-2147483648") == std::numeric_limits<int>::min());
  CHECK(parse_number<std::int64_t>("9007199254740993") == 9007199254740993);
  CHECK(parse_number<std::uint64_t>("18446744073709551615") == 18446744073709551615u);
}

TEST_CASE("parse_number rejects whole numbers out of the type's range") {
  for (const char* text : {"2147483648", "-2147483649", "4294967297", "1e10", "1e999999999999",
                           "1.5", "1.5e0", "15e-1", "1e-3", "0.1e-9999999999999999999"})
    CHECK(parse_number<int>(text) == std::nullopt);
  CHECK(parse_number<std::uint64_t>("18446744073709551616") == std::nullopt);
  CHECK(parse_number<std::uint64_t>("-1") == std::nullopt);
  CHECK(parse_number<std::uint64_t>("-0") == 0u);
}

TEST_CASE("parse_number rejects text that is not a number") {
  for (const char* text :
       {"",      "+",     "-",     ".",        "e3",  "1e",    "1e+", "0x10", "1,000",
        "1_000", " 5",    "5 ",    "5\n",      "--5", "+-5",   "5a",  "nan",  "inf",
        "-inf",  "1.2.3", "1e2.5", "infinity", "0b1", "0x1p3", "5f",  "٣",    "true"}) {
    INFO(text);
    CHECK(parse_number<int>(text) == std::nullopt);
    CHECK(parse_number<double>(text) == std::nullopt);
  }
  CHECK(parse_number<int>(std::string("5\0", 2)) == std::nullopt);
}

TEST_CASE("parse_number reads fractions as the nearest double") {
  CHECK(parse_number<double>("0.1") == 0.1);
  CHECK(parse_number<double>("+.5") == 0.5);
  CHECK(parse_number<double>("5.") == 5.0);
  CHECK(parse_number<double>("-1e300") == -1e300);
  CHECK(parse_number<double>("010") == 10.0);
  CHECK(parse_number<double>("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(parse_number<double>("1e400") == std::nullopt);
  CHECK(parse_number<double>("1e-400") == std::nullopt);
}
