"""The processes of one node: started, watched, replaced."""
