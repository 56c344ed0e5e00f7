"""PadChest in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz"
PA, LATERAL, SUPINE = ("1_ab12cd.png", "2_00-001-001.png", "3_01-002-003.png")
BROKEN = "216840111366964012373310883942009152114636712_00-102-045.png"
ROWS = f"""
    ,ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,Projection,MethodProjection,Pediatric,Modality_DICOM,Manufacturer_DICOM,PhotometricInterpretation_DICOM,PixelRepresentation_DICOM,PixelAspectRatio_DICOM,SpatialResolution_DICOM,BitsStored_DICOM,WindowCenter_DICOM,WindowWidth_DICOM,Rows_DICOM,Columns_DICOM,XRayTubeCurrent_DICOM,Exposure_DICOM,ExposureInuAs_DICOM,ExposureTime,RelativeXRayExposure_DICOM,ReportID,Report,MethodLabel,Labels,Localizations,LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS
    0,{PA},0,20140915,9991,999900000000000000000000000000000001,1930.0,F,POSTEROANTERIOR,PA,Manual review of DICOM fields,No,CR,PhilipsMedicalSystems,MONOCHROME2,0,"['1', '1']",0.143,12,2047.0,4095.0,2544,3056,,,,,186.0,4765001,sin hallazg .,Physician,['normal'],[],"[['normal'], ['normal']]",[],[]
    1,{LATERAL},41,20090305,9992,999900000000000000000000000000000002,1951.0,M,,L,resnet-50.t7,No,CR,ImagingDynamicsCompanyLtd,MONOCHROME1,0,,0.108,14,8191.0,16383.0,4020,4020,,,,,,4765002,pinzamient,RNN_model,"['costophrenic angle blunting', ' pneumonia']",[],[],['C0742855' ''],['C0230151']
    2,{SUPINE},41,20110101,9993,999900000000000000000000000000000003,,O,,AP_horizontal,Manual review of DICOM fields,No,DX,Siemens,MONOCHROME2,0,,,12,,,2000,2000,,,,,,4765003,x,RNN_model,"['unchanged', ' pneumonia', ""Chilaiditi's sign""]",[],[],[],[]
    3,{BROKEN},0,20090601,9994,999900000000000000000000000000000004,1940.0,M,,PA,Manual review of DICOM fields,No,CR,Siemens,MONOCHROME2,0,,0.2,12,,,2000,2000,,,,,,4765004,x,RNN_model,,[],[],[],[]
"""


@pytest.mark.parametrize(
    "places",
    [
        ("0/", "41/"),
        ("images/0/", "images/41/"),
        ("images/", "images/"),
        ("0.zip//", "41.zip//"),
        ("0/", "41.zip//41/"),
    ],
)
def test_folders_and_zips(tmp_path, places) -> None:
    first, second = places
    images = [f"{first}{PA}", f"{second}{LATERAL}", f"{second}{SUPINE}", f"{first}{BROKEN}"]
    source = open_known("padchest", plant(tmp_path, {TABLE: ROWS}, images))
    found = source.survey()
    rows = rows_of(found)
    assert rows == {
        PA: {
            "image_id": PA,
            "uri": images[0],
            "patient_id": "999900000000000000000000000000000001",
            "view": "PA",
            "sex": "F",
            "age": 84.0,
            "findings": ["normal"],
            "pixel_mm": pytest.approx(0.143),
        },
        SUPINE: {
            "image_id": SUPINE,
            "uri": images[2],
            "patient_id": "999900000000000000000000000000000003",
            "view": "AP",
            "sex": "O",
            "findings": ["unchanged", "pneumonia", "Chilaiditi's sign"],
        },
    }
    excluded = found.listing.excluded
    assert (excluded["not_frontal:LATERAL"], excluded["broken_file"]) == (1, 1)
    assert "archive" not in excluded
    for item in items_of(found):
        assert decode(source.read(item, 1 << 20)).pixels.shape == (24, 20)


def test_a_zip_that_was_unpacked_counts_once(tmp_path) -> None:
    images = [f"0/{PA}", f"0.zip//{PA}", f"41.zip//{SUPINE}"]
    found = open_known("padchest", plant(tmp_path, {TABLE: ROWS}, images)).survey()
    assert [row["uri"] for row in rows_of(found).values()] == [f"0/{PA}", f"41.zip//{SUPINE}"]
    assert found.listing.excluded["in_archive_and_unpacked"] == 1
