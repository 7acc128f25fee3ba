"""The stories: short lessons, a file each; and the bar that a page shows while it is a step of one."""
