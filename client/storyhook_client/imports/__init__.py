"""Stories in other formats as board files."""
