"""Drawing pills without torch: outline, height field, imprint, light, table underneath."""
