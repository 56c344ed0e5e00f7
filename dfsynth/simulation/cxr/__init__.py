"""The origin `cxr`: a real radiograph, and a dark-field image drawn over it.

A lung segmentation network says where lung is and how thick; tissue is drawn in lungs of that
shape by the same model as in phantoms, and projected. The pairs are semi-synthetic: nobody
measured these images.
"""
