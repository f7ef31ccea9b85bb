// Tables as the shells' completion scripts need them: pieces for the templates. Pure.
#pragma once

#include "fill.hpp"
#include "program.hpp"

namespace netcluster::manual {

Pieces bashPieces(const Program& program);
Pieces zshPieces(const Program& program);
Pieces fishPieces(const Program& program);

}  // namespace netcluster::manual
