#pragma once

/// Reports of trainings as pages for a browser.
#include "attune/report/report.h"
