#pragma once

#include <string_view>

/// The parts of pages that are always the same. CMake makes them from page.html, page.css,
/// explanation.css and the .js files.
namespace attune::page {

extern const std::string_view html;   ///< has the placeholders /*STYLE*/, /*SCRIPT*/ and /*DATA*/
extern const std::string_view style;  ///< CSS
extern const std::string_view explanation_style;  ///< CSS of explanations, besides
extern const std::string_view script;             ///< JavaScript

}  // namespace attune::page
