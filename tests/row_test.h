#pragma once

#include <string>
#include <utility>

#include "catch.h"

/// A test of one row of a table, registered at start-up like a TEST_CASE:
///
///     RowTest<OpCase>::add(row, "its gradient matches finite differences", check_gradient,
///                          "[op]");
template <typename Row>
class RowTest : public Catch::ITestInvoker {
 public:
  RowTest(const Row& row, void (*check)(const Row&)) : row_(row), check_(check) {}
  void invoke() const override { check_(row_); }

  /// The row must live as long as the program.
  static void add(const Row& row, const std::string& sentence, void (*check)(const Row&),
                  const std::string& tag) {
    const std::string name = row.name + ": " + sentence;
#if __has_include(<catch2/catch_all.hpp>)
    auto invoker = Catch::Detail::unique_ptr<Catch::ITestInvoker>(new RowTest(row, check));
#else
    auto* invoker = new RowTest(row, check);  // Catch2 owns it
#endif
    Catch::AutoReg(std::move(invoker), Catch::SourceLineInfo(__FILE__, __LINE__), "",
                   Catch::NameAndTags{name, tag});
  }

 private:
  const Row& row_;
  void (*check_)(const Row&);
};
