"""Files from somewhere: archives, downloads, folders, drawings."""
