#pragma once

#include <string_view>

/// The parts of the page that are the same in every report. CMake makes them from page.html,
/// page.css and the .js files.
namespace attune::page {

extern const std::string_view html;    ///< has the placeholders /*STYLE*/, /*SCRIPT*/ and /*DATA*/
extern const std::string_view style;   ///< CSS
extern const std::string_view script;  ///< JavaScript

}  // namespace attune::page
