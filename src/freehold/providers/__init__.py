"""One package per system that Freehold can observe and change."""
