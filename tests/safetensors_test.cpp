#include "attune/train/safetensors.h"

#include <cmath>
#include <cstdint>
#include <random>

#include "attune/data/files.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

const std::string kPythons = std::string(ATTUNE_GOLDEN_DIR) + "/python.safetensors";

// A file's bytes from its header and its numbers.
std::string file_of(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

// The error message of load_safetensors() for a file with these bytes.
std::string error_for(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("broken", bytes);
  try {
    load_safetensors(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK_THAT(message, contains("load_safetensors: '" + path + "'"));
    CHECK(message.find('\n') == std::string::npos);
    return message;
  }
  return "no error";
}

void require_refused(const std::string& header, const std::string& data,
                     const std::string& message) {
  INFO(header);
  REQUIRE_THAT(error_for(file_of(header, data)), contains(message));
}

const std::string kTwelve(12, 'x');  // bytes

}  // namespace

TEST_CASE("a safetensors file round-trips arrays and texts") {
  const TemporaryFolder folder;
  const std::string path = folder.path("a.safetensors");
  const Array weight = Array::from(std::vector<float>{1, -2, 3e-42f, INFINITY, 5, -0.0f}, {2, 3});
  const Array bias = Array::from(std::vector<double>{0.1, 1e300}, {2});
  save_safetensors(path, {{{"weight", weight},
                           {"bias", bias},
                           {"number", Array::full({}, 7)},
                           {"empty", Array(Shape{3, 0})}},
                          {{"kind", "gru"}, {"note", "\"ä\"\n"}}});
  const Safetensors content = load_safetensors(path);
  REQUIRE(content.metadata ==
          std::map<std::string, std::string>{{"kind", "gru"}, {"note", "\"ä\"\n"}});
  REQUIRE(content.arrays.size() == 4);
  const auto& [first_name, first] = content.arrays[0];
  REQUIRE(first_name == "bias");  // float64 comes first
  REQUIRE(first.dtype() == DType::f64);
  REQUIRE(first.to_vector<double>() == bias.to_vector<double>());
  const auto& [second_name, second] = content.arrays[1];
  REQUIRE(second_name == "weight");
  REQUIRE(second.shape() == Shape{2, 3});
  REQUIRE(second.to_vector() == weight.to_vector());
  REQUIRE(std::signbit(second.at(5)));
  REQUIRE(content.arrays[2].first == "number");
  REQUIRE(content.arrays[2].second.item() == 7);
  REQUIRE(content.arrays[3].first == "empty");
  REQUIRE(content.arrays[3].second.shape() == Shape{3, 0});
}

TEST_CASE("a safetensors file stores booleans as one byte each, after the numbers") {
  const TemporaryFolder folder;
  const std::string path = folder.path("a.safetensors");
  const Array mask = Array::from({{1, 0, 1}, {0, 0, 1}}, DType::boolean);
  save_safetensors(path, {{{"mask", mask}, {"number", Array::full({}, 7)}}, {}});
  const Safetensors content = load_safetensors(path);
  REQUIRE(content.arrays[0].first == "number");
  const Array& loaded = content.arrays[1].second;
  REQUIRE(loaded.dtype() == DType::boolean);
  REQUIRE(loaded.shape() == mask.shape());
  REQUIRE(loaded.to_vector<bool>() == mask.to_vector<bool>());
}

TEST_CASE("a safetensors file has exactly the bytes that the format specifies") {
  const TemporaryFolder folder;
  save_safetensors(folder.path("a"), {{{"w", Array::from(std::vector<float>{1, 2}, {2, 1})}}, {}});
  const std::string header = R"({"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})";
  REQUIRE(header.size() == 56);  // needs no padding
  REQUIRE(folder.read("a") == file_of(header, std::string("\0\0\x80\x3f\0\0\0\x40", 8)));

  save_safetensors(folder.path("b"), {{}, {{"k", "v"}}});
  REQUIRE(folder.read("b") == file_of(R"({"__metadata__":{"k":"v"}}      )", ""));
}

TEST_CASE("a file that Python's safetensors wrote is read") {
  const Safetensors content = load_safetensors(kPythons);
  REQUIRE(content.metadata == std::map<std::string, std::string>{
                                  {"format", "np"}, {"note", "made by Python, for C++"}});
  REQUIRE(content.arrays.size() == 4);
  REQUIRE(content.arrays[0].first == "scale");
  REQUIRE(content.arrays[0].second.shape() == Shape{});
  REQUIRE(content.arrays[0].second.item() == 1.0 / 3);
  REQUIRE(content.arrays[1].first == "ключ \"1\"");
  REQUIRE(content.arrays[1].second.to_vector<double>() == std::vector<double>{1e300, -2.5});
  REQUIRE(content.arrays[2].first == "decoder.weight");
  REQUIRE(content.arrays[2].second.shape() == Shape{2, 3});
  REQUIRE(content.arrays[2].second.to_vector() ==
          std::vector<float>{0.5f, -1, 2, 3e-8f, 4e8f, -0.0f});
  REQUIRE(content.arrays[3].first == "empty");
  REQUIRE(content.arrays[3].second.shape() == Shape{0, 4});
}

TEST_CASE("a truncated safetensors file is rejected") {
  const std::string whole = read_file(kPythons);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length << " bytes");
    REQUIRE_THAT(error_for(whole.substr(0, length)), contains("not a valid safetensors file"));
  }
  REQUIRE_THAT(error_for(whole + "x"), contains("its arrays fill 48 bytes, but it has 49"));
}

TEST_CASE("an invalid safetensors header is rejected") {
  require_refused("not JSON", "", "its header is not JSON");
  require_refused("", "", "its header is not JSON");
  require_refused("[1]", "", "its header is not a JSON object");
  require_refused("{\"\xff\": 1}", "", "its header is not JSON");
  require_refused(R"({"a": 1})", "", "array \"a\" must have exactly dtype, shape and data_offsets");
  require_refused(R"({"a\nb": 1})", "", R"(array "a\nb" must have exactly)");
  require_refused(R"({"__metadata__": 1})", "", "its __metadata__ is not an object");
  require_refused(R"({"__metadata__": {"k": 1}})", "", "its metadata \"k\" is not a string");
  require_refused(R"({"__metadata__": {"k": "1", "k": "2"}})", "", "its header has \"k\" twice");
  REQUIRE_THAT(error_for(std::string(8, '\xff')),
               contains("header should have 18446744073709551615 bytes, but only 0 follow"));
}

TEST_CASE("a safetensors header with wrong array descriptions is rejected") {
  const auto array = [](char name, const char* dtype, const char* shape, const char* offsets) {
    return fmt::format(R"("{}": {{"dtype": "{}", "shape": {}, "data_offsets": {}}})", name, dtype,
                       shape, offsets);
  };
  const auto one = [&](const char* dtype, const char* shape, const char* offsets,
                       const char* message) {
    require_refused(fmt::format("{{{}}}", array('a', dtype, shape, offsets)), kTwelve, message);
  };
  const auto two = [&](const std::string& first, const std::string& second, const char* message) {
    require_refused(fmt::format("{{{}, {}}}", first, second), kTwelve, message);
  };
  one("F32", "[3]", "[0, 8]", "array \"a\" f32 [3] needs 12 bytes, but has 8");
  one("F32", "[4]", "[0, 16]", "array \"a\" ends at byte 16 of 12; the file is cut off");
  one("F32", "[2]", "[4, 12]", "array \"a\" begins at byte 4 and not at 0");
  one("F32", "[2]", "[0, 8]", "its arrays fill 8 bytes, but it has 12");
  one("F32", "[3]", "[12, 0]", "not a begin and an end");
  one("F32", "[3]", "[0]", "not a begin and an end");
  one("F32", "[3]", "7", "not a list");
  one("F32", "[-3]", "[0, 12]", "not a whole number");
  one("F32", "[3.0]", "[0, 12]", "not a whole number");
  one("F32", "[99999999999999999999]", "[0, 12]", "not a whole number");
  one("F32", "[4294967296, 4294967296]", "[0, 12]", "impossibly many elements");
  one("F32", "[0, 4294967296, 4294967296]", "[0, 0]", "impossibly many elements");
  one("F32", "[1, 1, 1, 1, 1, 1, 3, 1]", "[0, 12]", "has 8 axes; Attune has at most 7");
  one("BOOL", "[12]", "[0, 12]", "array \"a\" has booleans that are neither 0 nor 1");
  one("BF16", "[6]", "[0, 12]", "has the type \"BF16\"; Attune has only F32, F64 and BOOL");
  two(array('a', "F32", "[2]", "[0, 8]"), array('b', "F32", "[2]", "[4, 12]"),
      "array \"b\" begins at byte 4 and not at 8");
  two(array('a', "F32", "[1]", "[0, 4]"), array('b', "F32", "[1]", "[8, 12]"),
      "array \"b\" begins at byte 8 and not at 4");
  two(array('a', "F32", "[1]", "[0, 4]"), array('a', "F32", "[2]", "[4, 12]"),
      "its header has \"a\" twice");
}

TEST_CASE("a randomly damaged safetensors file is read or rejected, without a crash") {
  const TemporaryFolder folder;
  const std::string whole = read_file(kPythons);
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::string likely = "0123456789{}[]\",:-.ex \\\xff";
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = whole;
    for (std::size_t change = below(3) + 1; change > 0; --change) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = likely[below(likely.size())];
          break;
        case 2:
          bytes.insert(at, 1, likely[below(likely.size())]);
          break;
        case 3:
          bytes.erase(at, below(9));
          break;
      }
    }
    const std::string path = folder.write("damaged", bytes);
    try {
      load_safetensors(path);
    } catch (const Error&) {
      ++refused;
    }
  }
  REQUIRE(refused > 150);
}

TEST_CASE("an error in reading or writing a safetensors file names the file") {
  const TemporaryFolder folder;
  REQUIRE_THROWS_WITH(load_safetensors(folder.path("none")), contains(folder.path("none")));
  REQUIRE_THROWS_WITH(save_safetensors(folder.path("no/folder"), {}),
                      contains(folder.path("no/folder")));
}

TEST_CASE("names that a safetensors file cannot store are rejected") {
  const TemporaryFolder folder;
  const Array array = Array::zeros({1});
  const std::string path = folder.path("a");
  REQUIRE_THROWS_WITH(save_safetensors(path, {{{"w", array}, {"w", array}}, {}}),
                      contains("two arrays cannot both be called 'w'"));
  REQUIRE_THROWS_WITH(save_safetensors(path, {{{"__metadata__", array}}, {}}),
                      contains("'__metadata__'"));
  REQUIRE_THROWS_WITH(save_safetensors(path, {{{"\xff", array}}, {}}), contains("is not UTF-8"));
  REQUIRE_THROWS_WITH(save_safetensors(path, {{}, {{"k", "\xff"}}}), contains("is not UTF-8"));
  REQUIRE(folder.entries() == 0);
}
